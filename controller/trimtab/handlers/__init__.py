"""kopf's side: events of our own kinds come in, the desk is told. No decision and no write is made here."""
