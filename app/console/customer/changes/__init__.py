"""What an operator may change on the page of one customer."""
