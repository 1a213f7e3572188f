"""The address that the kubelet asks: /livez and /readyz."""
