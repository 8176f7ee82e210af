"""What each field of the contract does on the local router, seen through the official client in each of its four ways to ask."""
