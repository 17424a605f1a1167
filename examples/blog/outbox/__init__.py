"""An app that makes the blog's mails durable. Only `config.durable` installs it."""
