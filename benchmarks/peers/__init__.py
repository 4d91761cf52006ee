"""What others have for the same work, one file each; each import is where its peer is opened."""
