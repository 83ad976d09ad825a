// Package ach moves money between bank accounts in the United States: deposits are ACH debits, withdrawals ACH credits. It
// writes Nacha files into a folder and reads the bank's files from another; carrying files to and from the bank is the host's
// business. The format and the rules are those of the Nacha Operating Rules; the format's library is github.com/moov-io/ach.
//
// It was never run against a real bank. Its tests talk to a pretend one, which reads files as strictly as that library does.
// Every bank (the ODFI, in the rules' words) has details of its own: what goes into the file header, when it wants files, what an
// acknowledgement looks like, which of the rules' entry classes it lets you use. Send it test files before you send money,
// and read the rules: this package keeps formats, dates and records, but authorisations, return rates and the treatment of
// disputes are the originator's duty.
//
// # A day
//
// [Provider.Submit] makes an operation durable in the [providers.StateStore] and answers Pending; nothing is sent yet, and until
// then it can be canceled. At the next cut-off on a banking day, [Provider.Work] puts everything that waits into one file:
// first the list of its entries becomes durable, then the file appears in the outbox, whole (written, synchronised, renamed).
// Whatever ends the process in between, the next Work makes the same bytes under the same name, or sees that it need not.
//
// The host uploads the file and says so with [Provider.Sent]. From then on the calendar decides: entries settle on the date
// they ask for, or later if they were handed over too late, and then the report has its effect. With Config.Acknowledged they
// also wait for the bank's acknowledgement. An ACH payment that settled can still come back; the report is Final when the
// window of the rules has passed:
//
//   - credits, and debits of companies (CCD): the opening of the second banking day after settlement;
//   - debits of consumers (WEB): the same for R01, R02 and their like, but 60 calendar days when the account holder says that
//     the debit was not authorised (R05, R07, R10, R11). All of it is provisional for 60 days, unless Config.UnauthorizedDays
//     makes it shorter at the host's own risk.
//
// One banking day is added to each for the bank's file to arrive. A return that comes later all the same is a fact and is
// reported, with a [Notice]; so is R23, by which a receiver may refuse a credit at any time.
//
// Files that the bank sends go into the inbox. Returns take the money back by an effect of their own; R02, R03, R04, R12–R16 and
// R20 block the account, R05, R07, R10, R11 and R29 block debits from it. Notifications of change (C01–C03, C05–C07) correct
// the account before its next entry, other ones and dishonoured or contested returns become a [Notice] for a person. A file
// is moved away only after a mark of its content is durable; what cannot be read, or is larger than 16 MiB, is moved to
// quarantine, with a notice.
//
// # Linking an account
//
// The host passes what the member typed to [Provider.AddAccount] and keeps the token. Linking that token verifies the account,
// as Config.Verification says: by a prenote, which takes until the third banking day after it settled and shows that the
// account exists; by micro-deposits, whose amounts the member tells through [Provider.ConfirmMicroDeposits] within 14
// days and three tries; or by the host's word. Consumer accounts are debited as WEB and credited as PPD, business
// accounts as CCD both ways.
//
// Micro-deposits are two credits of less than a dollar, and a debit of both together in the same file, so they come to nothing
// on our balance and no effect tells of them. If the debit comes back, a [Notice] says that a few cents are lost.
//
// # Setting it up
//
// [New] wants a StateStore (payments.Service.ProviderState gives one), [Keys] to seal account numbers with, and a [Config]. Call
// [Provider.Run] beside payments.Service.Run, and let a program of yours hand over what [Provider.Outbox] lists:
//
//   - upload, then Sent. After a crash in between, look at the bank's listing before you upload again: a file's name and its
//     file id modifier are the same, and the bank refuses a duplicate, but this package cannot see what you uploaded.
//   - never delete a file of the outbox. A program that is not written in Go moves it into the folder "sent".
//   - download into a name that begins with a dot, then rename: what is in the inbox under another name is read.
//
// Cut-offs are Eastern time and must leave room before the bank's own deadline. A CutOff with SameDay asks for settlement on the
// same day for every entry up to Config.MaxSameDay, a million dollars by the rules, as long as FedACH's last deadline (16:45) has not
// passed; what is too late for it settles on the next banking day. Prenotes are never sent for the same day. Banking days are those of the
// Federal Reserve: see [Holiday].
//
// Trace numbers are the bank's first eight digits and seven that count up through all files and days. When they come round, after
// ten million entries, a number is used again only once the operation that had it is final. Several systems that originate
// through one bank need ranges of their own: Config.FirstTrace and LastTrace.
//
// # What is stored, and secrets
//
// Account numbers are sealed with the host's AEAD before they are stored, bound to the account's token, and shown as the last
// four digits; the key's id is stored with them, see [Keys] and [Provider.Reseal]. Files in the outbox and inbox hold them in
// plain text, as banks want them: the folders can be read by their owner only, and should lie on an encrypted disk. Errors,
// notices, logs and printed values hold none. Each entry carries 75 bits of a hash of the operation's key as its identification number,
// by which a return is recognised as ours.
//
// Refunds are not offered: send the money back by a withdrawal, after the deposit is final, because a debit that was refunded can
// still be returned.
package ach
