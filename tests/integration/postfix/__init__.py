"""A real Postfix that delivers to our listener, and our listener as a process that can be ended and started again."""
