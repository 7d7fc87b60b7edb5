"""Where the tables live: the protocol that every warehouse keeps, and its implementations."""

from nba_pipeline.warehouse.protocol import Days, LedgerEntry, Reader, Warehouse

__all__ = ["Days", "LedgerEntry", "Reader", "Warehouse"]
