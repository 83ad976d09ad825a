package eth

// What JSON-RPC answers, as far as the adapter reads it.
type (
	// Block is a block. Its transactions are whole when that was asked for.
	Block struct {
		Number       Uint64    `json:"number"`
		Hash         Hash      `json:"hash"`
		ParentHash   Hash      `json:"parentHash"`
		Timestamp    Uint64    `json:"timestamp"` // seconds since 1970
		BaseFee      *Quantity `json:"baseFeePerGas"`
		Transactions []BlockTx `json:"transactions"`
	}
	// Header is a block without its transactions.
	Header struct {
		Number     Uint64    `json:"number"`
		Hash       Hash      `json:"hash"`
		ParentHash Hash      `json:"parentHash"`
		Timestamp  Uint64    `json:"timestamp"`
		BaseFee    *Quantity `json:"baseFeePerGas"`
	}
	// BlockTx is a transaction; the block is absent while it waits.
	BlockTx struct {
		Hash      Hash      `json:"hash"`
		From      Address   `json:"from"`
		To        *Address  `json:"to"` // absent of one that makes a contract
		Nonce     Uint64    `json:"nonce"`
		Value     *Quantity `json:"value"`
		BlockHash *Hash     `json:"blockHash"`
	}
	// Receipt says what became of a transaction that was mined.
	Receipt struct {
		TransactionHash   Hash      `json:"transactionHash"`
		BlockHash         Hash      `json:"blockHash"`
		Status            Uint64    `json:"status"` // 1: it went well; 0: it was reverted
		GasUsed           Uint64    `json:"gasUsed"`
		EffectiveGasPrice *Quantity `json:"effectiveGasPrice"`
		L1Fee             *Quantity `json:"l1Fee,omitempty"` // what a rollup charges besides
		Logs              []Log     `json:"logs"`
	}
	// Log is an event of a contract.
	Log struct {
		Address         Address `json:"address"`
		Topics          []Hash  `json:"topics"`
		Data            Data    `json:"data"`
		BlockHash       Hash    `json:"blockHash"`
		TransactionHash Hash    `json:"transactionHash"`
		LogIndex        Uint64  `json:"logIndex"` // within the block
		Removed         bool    `json:"removed"`
	}
)
