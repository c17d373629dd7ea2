from tests.moves import move, order

__all__ = ["move", "order"]
