"""Parts of kernels, compiled as far as their kernels need them and no further.

Numba makes each function whole by itself: optimised with all it calls put in, made into machine code, kept on disk.
A part that kernels alone call needs none of this: what runs is the copy inside the kernel, which is optimised and
made into machine code there, once more. So a part is left as numba wrote it, and the kernel is compiled in one piece.

How it is left lies below numba's public options, so it hangs on names of numba's own (`HOOKS`; a test holds them).
A numba without them compiles parts as before: longer, with the same results.
"""

from __future__ import annotations

from typing import Any, Final

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

HOOKS: Final = ("codegen", "_optimize_final_module", "_finalize_final_module", "get_pointer_to_function")
"""What `PartLibrary` takes the place of, in numba's own."""


class _NoEnvironment:
    """Where numba would leave what a function needs of Python: a part without a way in from there needs nothing."""

    def set_env(self, name: str, environment: object) -> None:
        pass


class PartLibrary(JITCodeLibrary):
    """A function's code that is only ever put into others: neither optimised nor given to the linker."""

    @property
    def codegen(self) -> _NoEnvironment:
        """Where numba would go on to leave the environment."""
        return _NoEnvironment()

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        """Nowhere: it has no machine code."""
        self._ensure_finalized()  # type: ignore[no-untyped-call] # numba's, as all below
        return 0


class _PartCompiler(Compiler):
    def define_pipelines(self) -> Any:
        state = self.state
        state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        return super().define_pipelines()  # type: ignore[no-untyped-call]


PART: Final = _PartCompiler if all(hasattr(JITCodeLibrary, name) for name in HOOKS) else Compiler
"""How numba is told to compile a part (`pipeline_class`)."""
