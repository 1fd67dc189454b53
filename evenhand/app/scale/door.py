"""Routes of the compatible interface."""

from starlette.routing import BaseRoute

from evenhand.app.services import Services


def scale_routes(services: Services) -> list[BaseRoute]:
    return []
