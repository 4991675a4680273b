"""What goes in and comes out of the gateway: plain frozen values."""
