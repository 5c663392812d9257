"""What a repository declares about its own judgement: the configuration and what it lets pass."""
