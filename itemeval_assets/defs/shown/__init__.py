"""What the Dagster UI shows of an asset: metadata, evidence, and data versions."""
