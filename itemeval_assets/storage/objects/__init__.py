"""Named objects of bytes in a folder or a bucket, each written whole or not at all."""
