"""A demonstration upstream: real household data behind PowerShaper's API. It imports nothing of the app."""

from app.demo.homes import DemoMeter, Missing, demo_meters
from app.demo.upstream import DEMO_TOKEN, DemoUpstream, Numbers, Times

__all__ = ["DEMO_TOKEN", "DemoMeter", "DemoUpstream", "Missing", "Numbers", "Times", "demo_meters"]
