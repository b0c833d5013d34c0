package provider

// minimumUnreserved returns what must stay of the account's concurrency
// without a reservation. AWS names [10] and [50] in accounts with those
// limits, which therefore can reserve nothing; that it is the account's own
// limit for any other limit below 100 is not verified.
func minimumUnreserved(limit int) int { return min(unreserved, limit) }
