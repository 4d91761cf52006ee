"""The one way out for a plugin with `allowed_hosts`: HTTP and SOCKS5, to those hosts alone."""
