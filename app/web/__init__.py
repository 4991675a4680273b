"""What all routes share: errors out, headers, logging, limits."""
