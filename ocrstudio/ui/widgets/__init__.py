"""Reusable widgets that know no word of the domain."""
