"""What `check --fix` writes: one module a kind of file with the edits of rules, and the rounds that apply and judge."""
