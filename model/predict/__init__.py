"""From crops and photographs to joints."""
