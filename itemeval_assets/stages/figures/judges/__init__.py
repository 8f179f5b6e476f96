"""Do judges agree, and are they fair?"""
