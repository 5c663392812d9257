"""What `elo-gate lsp` serves to editors. Only `server` knows the protocol's library; the rest is plain."""
