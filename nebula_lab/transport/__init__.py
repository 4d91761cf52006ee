"""The manager's ends of its channels, and the one thread that watches over them."""
