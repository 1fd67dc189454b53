"""The demo: two rival customers with real work in it, made once into an empty installation."""

from evenhand.app.demo.content import Content, SeedFailed, folder, load
from evenhand.app.demo.seed import seed, sign_ins

__all__ = ["Content", "SeedFailed", "folder", "load", "seed", "sign_ins"]
