"""Profiles: fragments of a registry with dated factors, benchmarks, fuels, products and regimes, each with its source.

[src] in a source: read in the named document. [rec]: well known, not checked against the official text.
Everything here is meant to be checked against the plant's own permit and contracts, and overridden where it differs.
"""
