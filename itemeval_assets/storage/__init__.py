"""The only folder that touches disk and S3."""
