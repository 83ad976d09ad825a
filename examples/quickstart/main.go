// Command quickstart plays one day of a social app on kosh: members sign up, link cards and banks, top up, tip posts, pay each
// other, ask for refunds and cash out, in five currencies and with the mistakes that real input has. At noon the app
// adds an in-app coin and Ether, and goes on with the same code. It ends with the books, and with the proof that they
// balance.
//
// The app itself is in the folder app: read app/host.go first, it is what a host writes.
package main

import "github.com/koshpay/kosh/examples/quickstart/app"

func main() { app.Main(app.Program{Name: "quickstart"}) }
