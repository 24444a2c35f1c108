"""`packets.run`, compiled. Importing it imports numba: only who knows that the kernels are ready does."""

from ingest.kernels import kernel
from ingest.session import packets

run = kernel(packets.run)
