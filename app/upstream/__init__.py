"""PowerShaper's API: the only place that knows how it is asked and what it answers."""

from app.upstream.client import PowerShaper

__all__ = ["PowerShaper"]
