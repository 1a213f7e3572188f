"""Unpacked artifacts on disk, by the digest of what they were unpacked from."""
