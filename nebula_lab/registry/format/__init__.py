"""What the files of a registry say, and how they are read and written."""
