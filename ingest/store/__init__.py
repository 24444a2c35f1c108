"""Stores behind one seam."""
