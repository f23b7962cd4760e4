"""What is Datto's: paths, pages, complete lists, the account's inventory, fan-out."""
