"""What a home remembers besides its tables: alerts, fingerprints of sources, and the declarations of its operators."""
