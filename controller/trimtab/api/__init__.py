"""What users declare and what Trimtab answers in status: one pydantic module per kind, and the CRDs made from them."""
