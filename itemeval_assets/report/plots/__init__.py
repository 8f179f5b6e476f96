"""Pictures for asset metadata: small, and readable on a light and on a dark page."""
