"""Where the tables live: the protocol that every warehouse keeps, and its implementations."""

from nba_pipeline.warehouse.protocol import Days, LedgerEntry, Warehouse

__all__ = ["Days", "LedgerEntry", "Warehouse"]
