"""Who a name is: spellings of books and feeds become NBA person ids, or stay visibly unresolved."""
