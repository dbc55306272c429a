"""What a crawl may do: pure decisions about addresses, permissions, pace and how we present ourselves."""
