"""What a plugin's process takes from itself before it reads the plugin, one mechanism a file."""
