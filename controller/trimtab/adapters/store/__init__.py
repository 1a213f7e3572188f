"""What Trimtab keeps in the cluster: the installation's identity and the Applications' inventories."""
