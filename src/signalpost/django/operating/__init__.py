"""What an operator does with durable deliveries: the commands' and the admin's common ground."""
