"""Trust in reports: authentication of the carrying mail, grades, addresses."""
