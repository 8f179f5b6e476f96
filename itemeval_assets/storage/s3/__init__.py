"""A bucket as S3 has it: objects with ETags, and what it says when it refuses."""
