"""What is known of a host that was stopped or has ended: frozen values, which errors carry."""
