package providertest

// Leaks and ShowsCard are what the suite looks for in logs.
var (
	Leaks     = leaks
	ShowsCard = showsCard
)
