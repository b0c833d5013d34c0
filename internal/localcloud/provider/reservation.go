package provider

// minimumUnreserved returns what must stay of the account's concurrency
// without a reservation: 100, and all of a limit below that. AWS says "below its
// minimum value of [10]" in accounts with a limit of 10 (awslabs/fhir-works-on-aws-deployment#691), and
// of [50] in those with 50.
func minimumUnreserved(limit int) int { return min(unreserved, limit) }
