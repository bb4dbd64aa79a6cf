module stalesock.example/e2e

go 1.19
