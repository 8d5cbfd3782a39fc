package auth

// Durability is where a change is once its commit has answered, and so what it outlives.
type Durability string

// From the least to the most.
const (
	InMemory  Durability = "memory"  // a crash of the machine may lose it
	OnDisk    Durability = "disk"    // the loss of the disk may, and another server that takes the store's place
	OnStandby Durability = "standby" // another machine has it as well
)

// Durabilities are all there are.
var Durabilities = []Durability{InMemory, OnDisk, OnStandby}
