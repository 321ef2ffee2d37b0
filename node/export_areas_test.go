package node

// AreasOf is areasOf for its test.
var AreasOf = areasOf

// AreaPeople is areaPeople for its test.
const AreaPeople = areaPeople
