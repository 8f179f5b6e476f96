"""Is one better than another, on the items that both have scores of?"""
