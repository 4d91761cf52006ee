"""What this machine can enforce and what it lacks, found by trying."""
